"""Hugging Face's Trainer on texts, with its settings that are fastest for lengths that differ: batches of like length
(train_sampling_strategy "group_by_length"), padded to their longest, fused AdamW, no evaluation, no logging."""

import json
import tempfile
import time

import torch
from transformers import (
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)


class TrainerBench:
    """Examples are tokenized once, as with datasets.map; `epoch` trains one pass over them from the same weights."""

    def __init__(self, model, tokenizer, examples, max_length):
        self.model = model
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer, pad_token="[PAD]")
        with open(examples, encoding="utf8") as lines:
            rows = [json.loads(line) for line in lines]
        labels = {label: index for index, label in enumerate(sorted({row["label"] for row in rows}))}
        started = time.perf_counter()
        encoded = self.tokenizer([row["text"] for row in rows], truncation=True, max_length=max_length)
        self.tokenizing = time.perf_counter() - started
        self.examples = [
            {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": [0] * len(ids), "labels": labels[row["label"]]}
            for ids, row in zip(encoded["input_ids"], rows)
        ]

    def epoch(self, attention, batch, precision, seed):
        """Seconds of Trainer.train(), without making the Trainer."""
        model: BertForSequenceClassification = self.model
        model.load_state_dict(self.weights)
        model.config._attn_implementation = attention
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=batch,
                num_train_epochs=1,
                learning_rate=2e-5,
                weight_decay=0.01,
                warmup_steps=0.1,
                optim="adamw_torch_fused",
                bf16=precision == "bf16",
                train_sampling_strategy="group_by_length",
                use_cpu=True,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=seed,
            )
            collate = DataCollatorWithPadding(self.tokenizer)
            trainer = Trainer(model=model, args=arguments, train_dataset=self.examples, data_collator=collate)
            started = time.perf_counter()
            trainer.train()
            return time.perf_counter() - started
