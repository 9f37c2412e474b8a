import { loweringTests, random } from './check.ts';

loweringTests('com.microsoft::QuickGelu', {
  'default slope': { inputs: [random([2, 3, 5])] },
  'given slope': { inputs: [random([2, 3])], attributes: { alpha: { float: 0.7 } } },
});
