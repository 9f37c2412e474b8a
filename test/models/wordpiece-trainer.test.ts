import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { specialTokens, trainWordPiece, words } from '../../models/wordpiece-trainer.ts';

describe('words', () => {
  test('are lowercased, without accents, punctuation apart', () => {
    assert.deepEqual(words("The Café's  $5 naïve-looking\tfoo_bar"), [
      'the',
      'cafe',
      "'",
      's',
      '$',
      '5',
      'naive',
      '-',
      'looking',
      'foo',
      '_',
      'bar',
    ]);
  });
});

describe('trainWordPiece', () => {
  const train = (texts: string[], size: number, minFrequency = 1): string[] =>
    trainWordPiece(texts, { size, minFrequency, alphabet: '' });

  test('merges the most frequent pair first', () => {
    // Three times each: "l ##o" and "##o ##w", of which the latter is smaller; then "low ##e" twice; then all once.
    const merged = train(['low lower lowest'], 100).filter((piece) => /^(##)?[a-z]{2,}$/.test(piece));
    assert.deepEqual(merged, ['##ow', 'low', 'lowe', '##st', 'lower', 'lowest']);
  });

  test('starts with the special tokens, then characters', () => {
    assert.deepEqual(train(['ba'], 9), [...specialTokens, 'a', 'b', '##a', '##b']);
  });

  test('stops at the size that is asked for', () => {
    const texts = ['abcabd abcabe abcab', 'abab'];
    const all = train(texts, 1000);
    assert.ok(all.length > 16);
    assert.deepEqual(train(texts, 16), all.slice(0, 16));
  });

  test('leaves out rare characters, and words with them, and rare pairs', () => {
    const vocabulary = trainWordPiece(['ab ab ab xq'], { size: 100, minFrequency: 2, alphabet: 'z' });
    assert.deepEqual(vocabulary, [...specialTokens, 'a', 'b', 'z', '##a', '##b', '##z', 'ab']);
  });

  test('does not depend on the order of the texts', () => {
    const texts = ['red green', 'green greener blue', 'redder bluer red'];
    assert.deepEqual(train([...texts].reverse(), 60), train(texts, 60));
  });
});
