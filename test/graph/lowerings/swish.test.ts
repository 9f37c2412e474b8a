import { loweringTests, random } from './check.ts';

loweringTests('com.microsoft::QuickGelu', {
  'default slope': { inputs: [random([2, 3, 5])] },
  'given slope': { inputs: [random([2, 3])], attributes: { alpha: { float: 0.7 } } },
});

loweringTests('Swish', {
  'default slope': { inputs: [random([2, 3, 5])], opset: 24 },
  'given slope': { inputs: [random([2, 3])], attributes: { alpha: { float: 0.7 } }, opset: 24 },
});
