import { SesdError } from '../../errors.ts';
import type { RuntimeInfo, SessionOptions } from '../contract.ts';
import type { Batch, ForwardOptions, Logits, Parameter, UpdateOptions } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { openModelState } from './arena-engine.ts';
import { feedBatch, feedDlogits } from './feeds.ts';
import { KeptForward } from './kept-forward.ts';
import { loadAddon, runtimeLibrary } from './load-addon.ts';
import { type OnnxRuntimeOptions, openRuntime } from './onnx-runtime.ts';
import { checkpointBytes } from './ort-training-checkpoint.ts';
import {
  type OneGroup,
  type SessionModels,
  splitModels,
  type TrainingOutputs,
} from './ort-training-models.ts';
import { WholeStepEngine } from './ort-whole-step.ts';
import { toLogits } from './sessions.ts';
import { trainingBuild } from './training-build.ts';
import { step, TrainingSessionEngine } from './training-session-engine.ts';

export interface OrtTrainingOptions extends OnnxRuntimeOptions {
  /** What every update will go by, its rates in proportion. Absent: the session is not to update the weights. */
  rates?: Rates;
  /** Options of the CUDA provider, which then computes; the plan is one for it. */
  cuda?: Readonly<Record<string, string>>;
  /** Makes an engine whose steps are the whole ones, see WholeStepEngine, and says whether there is a teacher. */
  wholeStep?: { teaches: boolean };
}

type Rates = Pick<UpdateOptions, 'learningRate' | 'headLearningRate' | 'weightDecay' | 'maxGradNorm'>;

/**
 * Trains a plan in a session of ONNX Runtime's training API.
 * @throws SesdError SESD_BAD_MODEL or SESD_UNSUPPORTED_OP when the runtime does not take a graph, SESD_NATIVE_LOAD when it
 *   has no training API
 */
export async function createTrainingEngine(
  plan: TrainingPlan,
  { rates, wholeStep, cuda, ...runtime }: OrtTrainingOptions,
): Promise<SplitEngine | WholeStepEngine> {
  const addon = loadAddon();
  requireTraining(openRuntime(runtime), runtime.library ?? runtimeLibrary());
  const options: SessionOptions = cuda ? { cuda, deviceOnly: true } : {};
  const state = await openModelState(addon, plan, options);
  const setup = { group: rates && oneGroup(plan, rates), options };
  if (wholeStep) return new WholeStepEngine(addon, plan, state, setup, wholeStep.teaches);
  return new SplitEngine(addon, plan, state, setup);
}

function requireTraining({ version, training }: RuntimeInfo, library: string): void {
  if (training) return;
  throw new SesdError(
    'SESD_NATIVE_LOAD',
    `--backend ort-training: ONNX Runtime ${version} in ${library} was built without the training API.`,
    { hint: trainingBuild('linux-x86_64') },
  );
}

/**
 * The session's AdamW has one group of parameters, and does not clip (com.microsoft::InplaceClipGradNorm, which it could be
 * given, does not give the same bits from run to run). Its options, where that is enough for these rates.
 */
function oneGroup({ parameters, frozen }: TrainingPlan, rates: Rates): OneGroup | undefined {
  const { learningRate, headLearningRate, weightDecay, maxGradNorm } = rates;
  const rateOf = ({ group, learningRateScale }: Parameter) =>
    learningRateScale * (group === 'head' ? headLearningRate : learningRate);
  const isOne =
    maxGradNorm === Number.POSITIVE_INFINITY &&
    parameters.every((each) => rateOf(each) === learningRate) &&
    (weightDecay === 0 || parameters.every(({ decay }) => decay)) &&
    checkpointBytes(parameters, frozen) < 2 ** 31; // what a FlatBuffer may have
  return isOne ? { weightDecay } : undefined;
}

/**
 * The objective stays in TypeScript, between two calls: the session's eval model is the forward pass, its training model the
 * backward pass.
 */
export class SplitEngine extends TrainingSessionEngine {
  readonly #kept = new KeptForward();

  protected models(out: Pick<TrainingOutputs, 'gradients'>): SessionModels {
    return splitModels(this.plan, { ...out, norm: !out.gradients });
  }

  async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const { forward: graph, logits } = this.plan;
    const session = await this.session();
    this.#kept.drop();
    await this.student.handOver();
    const feeds = feedBatch(this.plan, batch, options.dropoutKey);
    const own = await this.shapes.of(graph, feeds);
    const result = await step(options.signal, () =>
      session.evalStep({ feeds: own, fetch: [logits], keep: graph.stash }),
    );
    this.#kept.keep(result.stash, feeds);
    return toLogits(result.fetched[logits]!);
  }

  async backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void> {
    const kept = this.#kept.current;
    const { backward: graph, classes } = this.plan;
    const own = await this.shapes.of(graph, kept.feeds);
    const feeds = { ...own, [graph.dlogits]: feedDlogits(dlogits, classes) };
    await this.gather({ feeds, stash: kept.stash }, signal);
    this.#kept.drop();
  }

  protected override async leaveSession(): Promise<void> {
    this.#kept.drop();
    await super.leaveSession();
  }

  override close(): void {
    this.#kept.drop();
    super.close();
  }
}
