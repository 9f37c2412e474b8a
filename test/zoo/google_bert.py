"""BERT as Google's TensorFlow code computes it, and converters leave it: rows of all sequences in one matrix, token types
by OneHot, a mask for every query, a Squeeze after the slice of the first token."""

import math

import torch
from transformers import BertForSequenceClassification


class GoogleBertForSequenceClassification(BertForSequenceClassification):
    """The weights of transformers' class under its names; only inputs of these three roles, and logits out."""

    def forward(self, input_ids, attention_mask, token_type_ids):
        embeddings = self.bert.embeddings
        rows, length = input_ids.shape
        hidden = self.config.hidden_size
        words = torch.index_select(embeddings.word_embeddings.weight, 0, input_ids.reshape(-1)).reshape(rows, length, hidden)
        types = torch.nn.functional.one_hot(token_type_ids.reshape(-1), 2).to(words.dtype)
        types = (types @ embeddings.token_type_embeddings.weight).reshape(rows, length, hidden)
        positions = embeddings.position_embeddings.weight[:length].reshape(1, length, hidden)
        states = embeddings.LayerNorm(words + types + positions).reshape(-1, hidden)
        mask = torch.ones(rows, length, 1, dtype=words.dtype) * attention_mask.reshape(rows, 1, length).to(words.dtype)
        adder = (1.0 - mask.unsqueeze(1)) * -10000.0
        for layer in self.bert.encoder.layer:
            context = self.attend(layer.attention.self, states, adder, rows, length)
            states = layer.attention.output.LayerNorm(layer.attention.output.dense(context) + states)
            inner = layer.intermediate.dense(states)
            inner = inner * (0.5 * (1.0 + torch.erf(inner / math.sqrt(2.0))))
            states = layer.output.LayerNorm(layer.output.dense(inner) + states)
        first = states.reshape(rows, length, hidden)[:, 0:1, :].squeeze(1)
        return {"logits": self.classifier(torch.tanh(self.bert.pooler.dense(first)))}

    def attend(self, attention, states, adder, rows, length):
        heads, size = attention.num_attention_heads, attention.attention_head_size

        def split(dense):
            return dense(states).reshape(rows, length, heads, size).permute(0, 2, 1, 3)

        scores = split(attention.query) @ split(attention.key).transpose(-1, -2) * (1.0 / math.sqrt(size)) + adder
        return (scores.softmax(-1) @ split(attention.value)).permute(0, 2, 1, 3).reshape(rows * length, heads * size)
