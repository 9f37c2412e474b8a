import { integers, loweringTests, random } from './check.ts';

loweringTests('CastLike', {
  'to floats': { inputs: [integers([3], [1, -2, 3]), random([1])] },
  'to what it is': { inputs: [random([2, 2]), random([1])] },
});
