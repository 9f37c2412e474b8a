"""The families of the zoo: how each makes a tiny model, and what it must be shown."""

from dataclasses import dataclass, field

import transformers

from google_bert import GoogleBertForSequenceClassification

BERT_ROLES = ("input_ids", "attention_mask", "token_type_ids")
VOCABULARY, LABELS, LAYERS = 100, 3, 2

# Every family takes these under these names; dropout is never 0, so that its places can be counted.
SIZES = dict(
    vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=LAYERS, num_attention_heads=2, intermediate_size=64,
    max_position_embeddings=64, num_labels=LABELS,
)

PATTERNS = dict(LayerNormalization=2 * LAYERS + 1, BiasGelu=LAYERS, Attention=LAYERS, ResidualLayerNormalization=2 * LAYERS)


# Models with a head for tokens: the end of their class's name, and what of their output a file has.
TOKEN_HEADS = {
    "masked-lm": ("ForMaskedLM", ["logits"]),
    "tagger": ("ForTokenClassification", ["logits"]),
    "reader": ("ForQuestionAnswering", ["start_logits", "end_logits"]),
    "pretraining": ("ForPreTraining", ["prediction_logits", "seq_relationship_logits"]),
}


@dataclass(frozen=True)
class Family:
    """Transformers' names begin with `name`: BertConfig, BertModel, BertForSequenceClassification."""

    name: str
    # the inputs its export usually has, in their order
    roles: tuple = BERT_ROLES
    # the id of padding, which positions are counted by in some families
    pad: int = 0
    # of the configuration, beside SIZES
    settings: dict = field(default_factory=dict)
    # of SIZES, what this family's configuration calls otherwise
    renamed: dict = field(default_factory=dict)
    # whether it can have a table of positions
    positions: bool = True
    # whether positions are counted from the ids that are not padding, and begin behind its id
    counts_ids: bool = False
    # how many of its patterns are fused, where that differs from BERT
    patterns: dict = field(default_factory=dict)
    # the same, in a classifier alone
    classifier_patterns: dict = field(default_factory=dict)

    # the family whose code says what is right, where this one's is ours
    reference: str = ""

    def config(self, attention, **settings):
        sizes = {self.renamed.get(name, name): value for name, value in SIZES.items()}
        make = getattr(transformers, f"{self.name}Config")
        return make(**{**sizes, **self.settings, **settings}, pad_token_id=self.pad, attn_implementation=attention)

    def longest(self, settings):
        """How long a sequence its positions serve; None where there are none."""
        if not self.positions or not {**self.settings, **settings}.get("position_biased_input", True):
            return None
        return {**SIZES, **settings}["max_position_embeddings"] - (self.pad + 1 if self.counts_ids else 0)

    def fused(self, kind):
        """How many of each pattern a model's training graph has."""
        return {**PATTERNS, **self.patterns, **(self.classifier_patterns if kind == "classifier" else {})}

    @property
    def encoder(self):
        return getattr(transformers, f"{self.name}Model")

    @property
    def classifier(self):
        return getattr(transformers, f"{self.name}ForSequenceClassification")

    def with_token_head(self, kind):
        return getattr(transformers, f"{self.name}{TOKEN_HEADS[kind][0]}")


@dataclass(frozen=True)
class GoogleBert(Family):
    @property
    def classifier(self):
        return GoogleBertForSequenceClassification


MASKED = BERT_ROLES[:2]

FAMILIES = {
    "bert": Family("Bert"),
    # its states are one matrix of all rows, whose residual sums have no fused form
    "google-bert": GoogleBert("Bert", reference="bert", patterns=dict(ResidualLayerNormalization=0)),
    "roberta": Family("Roberta", roles=MASKED, pad=1, counts_ids=True, settings=dict(type_vocab_size=1)),
    "xlm-roberta": Family("XLMRoberta", roles=MASKED, pad=1, counts_ids=True, settings=dict(type_vocab_size=1)),
    "camembert": Family("Camembert", roles=MASKED, pad=1, counts_ids=True, settings=dict(type_vocab_size=1)),
    "distilbert": Family(
        "DistilBert", roles=MASKED,
        renamed=dict(hidden_size="dim", num_hidden_layers="n_layers", num_attention_heads="n_heads", intermediate_size="hidden_dim"),
    ),
    "albert": Family("Albert", settings=dict(embedding_size=16, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)),
    "electra": Family("Electra", settings=dict(embedding_size=16), classifier_patterns=dict(BiasGelu=LAYERS + 1)),
    "mpnet": Family("MPNet", roles=MASKED, pad=1, counts_ids=True),
    "deberta": Family(
        "Deberta", roles=MASKED, classifier_patterns=dict(BiasGelu=LAYERS + 1),
        # fewer positions than tokens, so that the farthest share one
        settings=dict(
            relative_attention=True, pos_att_type="c2p|p2c", position_biased_input=False, max_relative_positions=12,
            pooler_hidden_size=32,
        ),
    ),
    # as deberta-v2-xlarge, with token types and positions too
    "deberta-v2": Family(
        "DebertaV2",
        patterns=dict(LayerNormalization=2 * LAYERS + 3, BiasGelu=LAYERS + 1), classifier_patterns=dict(BiasGelu=LAYERS + 2),
        settings=dict(
            relative_attention=True, pos_att_type="c2p|p2c", max_relative_positions=12, norm_rel_ebd="layer_norm",
            type_vocab_size=2, conv_kernel_size=3, conv_act="gelu", pooler_hidden_size=32,
        ),
    ),
    "deberta-v3": Family(
        "DebertaV2", roles=MASKED,
        patterns=dict(LayerNormalization=2 * LAYERS + 2), classifier_patterns=dict(BiasGelu=LAYERS + 1),
        settings=dict(
            relative_attention=True, pos_att_type="p2c|c2p", position_biased_input=False, share_att_key=True,
            position_buckets=8, norm_rel_ebd="layer_norm", pooler_hidden_size=32,
        ),
    ),
    # Windows leave queries of padding without a key. Normalizations come before what they are for, none before the first.
    "modernbert": Family(
        "ModernBert", roles=MASKED, positions=False,
        patterns=dict(ResidualLayerNormalization=0), classifier_patterns=dict(LayerNormalization=2 * LAYERS + 2, BiasGelu=LAYERS + 1),
        settings=dict(
            global_attn_every_n_layers=2, local_attention=8,
            embedding_dropout=0.1, attention_dropout=0.1, mlp_dropout=0.1, classifier_dropout=0.1,
        ),
    ),
}
