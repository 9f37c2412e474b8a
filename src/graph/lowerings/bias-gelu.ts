import { exactGelu } from './gelu.ts';
import type { Lowering } from './lowering.ts';

/** com.microsoft::BiasGelu: the exact form, of x + bias. */
export const biasGelu: Lowering = (builder, node) => [exactGelu(builder, builder.op('Add', node.inputs))];
