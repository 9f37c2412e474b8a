import { loweringTests, random } from './check.ts';

const wide = () => {
  const x = random([3, 40]);
  return { ...x, data: (x.data as Float32Array).map((value) => 3 * value) };
};

loweringTests('Gelu', {
  exact: { inputs: [wide()], opset: 20 },
  'tanh form': { inputs: [wide()], attributes: { approximate: 'tanh' }, opset: 20 },
});

loweringTests('com.microsoft::Gelu', { exact: { inputs: [wide()] } });

loweringTests('com.microsoft::BiasGelu', {
  'of x + bias': { inputs: [random([2, 3, 5]), random([5], 2)] },
});

loweringTests('com.microsoft::FastGelu', {
  'with bias': { inputs: [random([2, 3, 5]), random([5], 2)] },
  'without bias': { inputs: [wide()] },
});
