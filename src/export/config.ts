/** Of a BERT, what Hugging Face's config.json calls it. */
export interface Architecture {
  vocab_size?: number;
  hidden_size?: number;
  num_hidden_layers?: number;
  num_attention_heads?: number;
  intermediate_size?: number;
  max_position_embeddings?: number;
  type_vocab_size?: number;
}

export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';

export interface ConfigOptions {
  /** The source model's config.json. */
  base?: Readonly<Record<string, unknown>> | undefined;
  /** Used where there is no `base`: a BERT of these sizes. Sizes not given are BERT-base's by convention. */
  architecture?: Architecture;
  id2label: Readonly<Record<string, string>>;
  label2id: Readonly<Record<string, number>>;
  problemType?: ProblemType;
  /** Further entries. */
  extra?: Readonly<Record<string, unknown>>;
}

/**
 * The config.json of an exported classifier: the source's, with the class that transformers and
 * transformers.js load it by, and the labels.
 */
export function classifierConfig(options: ConfigOptions): Record<string, unknown> {
  const { base, architecture, id2label, label2id, problemType = 'single_label_classification' } = options;
  const config: Record<string, unknown> = { ...(base ?? architecture) };
  const modelType = typeof config.model_type === 'string' ? config.model_type : 'bert';
  // Says which of several files to load, in the source's folder.
  delete config['transformers.js_config'];
  return {
    ...config,
    model_type: modelType,
    architectures: [classifierClass(config.architectures, modelType)],
    id2label,
    label2id,
    num_labels: Object.keys(id2label).length,
    problem_type: problemType,
    ...options.extra,
  };
}

/** Spelled otherwise than by a capital first letter. */
const classPrefixes: Readonly<Record<string, string>> = {
  albert: 'Albert',
  camembert: 'Camembert',
  deberta: 'Deberta',
  'deberta-v2': 'DebertaV2',
  distilbert: 'DistilBert',
  electra: 'Electra',
  modernbert: 'ModernBert',
  mpnet: 'MPNet',
  roberta: 'Roberta',
  roformer: 'RoFormer',
  'xlm-roberta': 'XLMRoberta',
};

/** BertModel, BertForMaskedLM, … → BertForSequenceClassification. */
function classifierClass(architectures: unknown, modelType: string): string {
  const first = Array.isArray(architectures) ? architectures[0] : undefined;
  const named = typeof first === 'string' ? /^(\w+?)(Model|For[A-Z]\w*)$/.exec(first)?.[1] : undefined;
  const prefix = named ?? classPrefixes[modelType] ?? modelType.charAt(0).toUpperCase() + modelType.slice(1);
  return `${prefix}ForSequenceClassification`;
}
