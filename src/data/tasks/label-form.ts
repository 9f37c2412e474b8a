/** How a dataset writes its labels. */
export interface LabelForm {
  /** The label's name, or undefined when it is none. */
  nameOf(written: string): string | undefined;
  /** The labels as the files write them, for messages. */
  expects: string;
}

/** Labels written as their names. */
export function named(names: readonly string[]): LabelForm {
  return { nameOf: (written) => (names.includes(written) ? written : undefined), expects: oneOf(names) };
}

/** Labels written as whole numbers from `first` on. */
export function numbered(names: readonly string[], first: number): LabelForm {
  const byNumber = new Map(names.map((name, i) => [`${first + i}`, name]));
  return { nameOf: (written) => byNumber.get(written), expects: oneOf([...byNumber.keys()]) };
}

/** Scores; they are their own names. */
export function score(min: number, max: number): LabelForm {
  const isScore = (written: string) => written !== '' && Number(written) >= min && Number(written) <= max;
  return {
    nameOf: (written) => (isScore(written) ? written : undefined),
    expects: `a number from ${min} to ${max}`,
  };
}

function oneOf(labels: readonly string[]): string {
  return `one of ${labels.join(', ')}`;
}
