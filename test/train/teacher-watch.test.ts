import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TeacherWatch } from '../../src/train/teacher-watch.ts';
import { tinyFit } from './tiny-run.ts';

interface Step {
  student: number;
  teacher: number;
  ce: number;
  distill: number;
}

/** The steps at which a run of 200 warns whose every step is like this. */
function warnings(at: (step: number) => Step): number[] {
  const watch = new TeacherWatch(200);
  const warned: number[] = [];
  for (let step = 1; step <= 200; step++) {
    const { student, teacher, ce, distill } = at(step);
    for (const share of [0.75, 0.25]) {
      const logits = Float32Array.of(student, -student);
      watch.add(share, { logits, teacherLogits: Float32Array.of(-teacher, teacher), loss: ce + distill, ce });
    }
    if (watch.warning(step) !== undefined) warned.push(step);
  }
  return warned;
}

const harmful = { student: 3, teacher: 3.1, ce: 0.6, distill: 0.3 };

test('warns once, from the middle of the run on, of a teacher whose logits and distance are large', () => {
  assert.deepEqual(
    warnings(() => harmful),
    [100],
  );
  assert.deepEqual(
    warnings((step) => (step > 150 ? harmful : { ...harmful, distill: 0.01 })),
    [160],
  );
});

test('keeps quiet where the teacher lags behind or hardly counts', () => {
  assert.deepEqual(
    warnings(() => ({ ...harmful, teacher: 2.5 })),
    [],
  );
  assert.deepEqual(
    warnings(() => ({ ...harmful, distill: 0.05 })),
    [],
  );
});

test('a run says what to change', async () => {
  // The student is its own teacher here, and an objective says that it is half of the loss.
  const { events } = await tinyFit({
    options: { window: 1, poolIncludesStudent: true, epochs: 40 },
    objective: ({ logits }) => ({ loss: 2, parts: { ce: 1 }, dlogits: new Float64Array(logits.length) }),
  });
  const notices = events.flatMap((event) => (event.type === 'notice' ? event.message : []));
  assert.equal(notices.length, 1);
  assert.match(notices[0]!, /The teacher may cost accuracy: .*mean size .* % of the loss.*--window all/);
  const quiet = await tinyFit({ options: { epochs: 40 } });
  assert.deepEqual(
    quiet.events.filter(({ type }) => type === 'notice'),
    [],
  );
});
