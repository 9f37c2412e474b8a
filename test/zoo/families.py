"""The families of the zoo: how each makes a tiny model, and what it must be shown."""

from dataclasses import dataclass, field

import transformers

BERT_ROLES = ("input_ids", "attention_mask", "token_type_ids")
VOCABULARY, LABELS, LAYERS = 100, 3, 2

# Every family takes these under these names; dropout is never 0, so that its places can be counted.
SIZES = dict(
    vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=LAYERS, num_attention_heads=2, intermediate_size=64,
    max_position_embeddings=64, num_labels=LABELS,
)


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

    def config(self, attention, **settings):
        sizes = {self.renamed.get(name, name): value for name, value in SIZES.items()}
        make = getattr(transformers, f"{self.name}Config")
        return make(**{**sizes, **self.settings, **settings}, pad_token_id=self.pad, attn_implementation=attention)

    @property
    def encoder(self):
        return getattr(transformers, f"{self.name}Model")

    @property
    def classifier(self):
        return getattr(transformers, f"{self.name}ForSequenceClassification")

    def with_token_head(self, kind):
        return getattr(transformers, f"{self.name}{TOKEN_HEADS[kind][0]}")


MASKED = BERT_ROLES[:2]

FAMILIES = {
    "bert": Family("Bert"),
    "roberta": Family("Roberta", roles=MASKED, pad=1, settings=dict(type_vocab_size=1)),
    "xlm-roberta": Family("XLMRoberta", roles=MASKED, pad=1, settings=dict(type_vocab_size=1)),
    "camembert": Family("Camembert", roles=MASKED, pad=1, settings=dict(type_vocab_size=1)),
    "distilbert": Family(
        "DistilBert", roles=MASKED,
        renamed=dict(hidden_size="dim", num_hidden_layers="n_layers", num_attention_heads="n_heads", intermediate_size="hidden_dim"),
    ),
    "albert": Family("Albert", settings=dict(embedding_size=16, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)),
    "electra": Family("Electra", settings=dict(embedding_size=16)),
    "mpnet": Family("MPNet", roles=MASKED, pad=1),
}
