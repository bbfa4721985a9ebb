# What the thesis leaves open: trials and training under every choice, what changes, its page and figures.

from dynparam.configuration.choices import (
    chosen_config,
    load_open_choices,
    trials_stage,
)
from dynparam.experiments.open_choices.settings import (
    for_choice_curves,
    for_choice_run,
    for_open_choices,
)

ENTRIES = "config/open_choices.yaml"
CHANGES = f"{RESULTS}/open_choices/changes.csv"
CHANGES_TRAINED = f"{RESULTS}/open_choices/training.csv"
CURVES = CONFIG.open_choices.training

try:
    OPEN_CHOICES = load_open_choices(Path(ENTRIES), CONFIG)
    CHOSEN = {
        choice: chosen_config(OPEN_CHOICES, CONFIG, choice)
        for choice in dict.fromkeys(
            [
                *(choice for choice, _ in OPEN_CHOICES.needed_trials()),
                *OPEN_CHOICES.needed_curves(),
            ]
        )
    }
except DynparamError as error:
    raise WorkflowError(str(error)) from None


def place_of_images(choice):
    """Where the images of a choice lie: the default's, or a draw of its own."""
    own = CHOSEN[choice].data != CONFIG.data
    return f"{DATA}/processed/open_choices/{choice}" if own else f"{DATA}/processed"


def choice_images(wildcards):
    """The images of a choice's trials: the drawn pair, or all of its classes' to redraw from."""
    probe = CHOSEN[wildcards.choice].probe
    kind = ".pool" if probe.subset == "redrawn" else ""
    return f"{place_of_images(wildcards.choice)}/{probe.pair}{kind}.npz"


def trained_images(wildcards):
    """The images that a choice is trained on."""
    return f"{place_of_images(wildcards.choice)}/{CURVES.task}.npz"


wildcard_constraints:
    choice=any_of(CHOSEN),
    engine="dense|law",
    pool=r"(\.pool)?",


use rule extract_pair as extract_choice with:
    output:
        images=f"{DATA}/processed/open_choices/{{choice}}/{{pair}}{{pool}}.npz",
        manifest=f"{DATA}/processed/open_choices/{{choice}}/{{pair}}{{pool}}.json",
    params:
        settings=lambda wildcards: for_pair(
            CHOSEN[wildcards.choice], wildcards.pair
        ).model_dump_json(),
        pool=lambda wildcards: "--pool" if wildcards.pool else "",
    log:
        f"{LOGS}/extract_choice/{{choice}}/{{pair}}{{pool}}.log",
    benchmark:
        f"{BENCHMARKS}/extract_choice/{{choice}}/{{pair}}{{pool}}.tsv"
    resources:
        **needs("extract_choice"),
    message:
        "Drawing the images of {wildcards.pair} under {wildcards.choice}"


rule measure_choice:
    input:
        images=choice_images,
    output:
        trials=f"{RESULTS}/open_choices/trials/{{choice}}-{{engine}}.csv",
        sidecar=f"{RESULTS}/open_choices/trials/{{choice}}-{{engine}}.json",
    params:
        code=code("measure_choice"),
        settings=lambda wildcards: trials_stage(
            CHOSEN[wildcards.choice], wildcards.engine
        ).model_dump_json(),
    log:
        f"{LOGS}/measure_choice/{{choice}}-{{engine}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_choice/{{choice}}-{{engine}}.tsv"
    threads: 1
    resources:
        **needs("measure_choice"),
    message:
        "Measuring the choice {wildcards.choice} on the {wildcards.engine} engine"
    shell:
        "dynparam choices measure --engine {wildcards.engine} --config only={params.settings:q}"
        " --images {input.images:q} --output {output.trials:q} > {log:q} 2>&1"


rule compare_choices:
    input:
        trials=[
            f"{RESULTS}/open_choices/trials/{choice}-{engine}.csv"
            for choice, engine in OPEN_CHOICES.needed_trials()
        ],
        entries=ENTRIES,
    output:
        changes=CHANGES,
        sidecar=f"{RESULTS}/open_choices/changes.json",
    params:
        code=code("compare_choices"),
        settings=lambda wildcards: for_open_choices(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/compare_choices.log",
    benchmark:
        f"{BENCHMARKS}/compare_choices.tsv"
    threads: 1
    resources:
        **needs("compare_choices"),
    message:
        "Comparing the slopes under all choices"
    shell:
        "dynparam choices compare --config only={params.settings:q} --choices {input.entries:q}"
        " --results {RESULTS:q} --output {output.changes:q} > {log:q} 2>&1"


# Both parametrizations under a choice. The records of finished runs are kept where train_seeds keeps its own.
rule train_choice:
    input:
        images=trained_images,
    output:
        curves=f"{RESULTS}/open_choices/curves/{{choice}}.csv",
        sidecar=f"{RESULTS}/open_choices/curves/{{choice}}.json",
    params:
        code=code("train_choice"),
        settings=lambda wildcards: for_choice_run(
            CHOSEN[wildcards.choice]
        ).model_dump_json(),
        seeds=f"0-{CURVES.seeds - 1}",
    log:
        f"{LOGS}/train_choice/{{choice}}.log",
    benchmark:
        f"{BENCHMARKS}/train_choice/{{choice}}.tsv"
    threads: 1
    resources:
        **needs("train_choice"),
        gpu=GPU,
    message:
        "Training both parametrizations under the choice {wildcards.choice}"
    shell:
        "dynparam choices train {CURVES.task} --seeds {params.seeds}"
        " --config only={params.settings:q} --images {input.images:q} --runs {RUNS_DIRECTORY:q}"
        " --device {CONFIG.jobs.training_device} --threads {threads}"
        " --seeds-at-once {CONFIG.jobs.seeds_at_once}"
        " --checkpoint-epochs {CONFIG.training.checkpoint_epochs}"
        " --output {output.curves:q} > {log:q} 2>&1"


rule compare_trained:
    input:
        curves=[
            f"{RESULTS}/open_choices/curves/{choice}.csv"
            for choice in OPEN_CHOICES.needed_curves()
        ],
        entries=ENTRIES,
    output:
        changes=CHANGES_TRAINED,
        sidecar=f"{RESULTS}/open_choices/training.json",
    params:
        code=code("compare_trained"),
        settings=lambda wildcards: for_choice_curves(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/compare_trained.log",
    benchmark:
        f"{BENCHMARKS}/compare_trained.tsv"
    threads: 1
    resources:
        **needs("compare_trained"),
    message:
        "Comparing training under all choices"
    shell:
        "dynparam choices curves --config only={params.settings:q} --choices {input.entries:q}"
        " --results {RESULTS:q} --output {output.changes:q} > {log:q} 2>&1"


rule write_ledger:
    input:
        changes=CHANGES,
        trained=CHANGES_TRAINED,
        entries=ENTRIES,
        template="src/dynparam/experiments/open_choices/page.md.j2",
    output:
        page=CONFIG.open_choices.page,
        sidecar=Path(CONFIG.open_choices.page).with_suffix(".json"),
    params:
        code=code("write_ledger"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_ledger.log",
    benchmark:
        f"{BENCHMARKS}/write_ledger.tsv"
    threads: 1
    resources:
        **needs("write_ledger"),
    message:
        "Writing the page of open choices"
    shell:
        "dynparam choices page {input.changes:q} {input.trained:q} --config only={params.settings:q}"
        " --choices {input.entries:q} --output {output.page:q} > {log:q} 2>&1"


use rule plot_architecture as plot_ledger with:
    wildcard_constraints:
        figure=CONFIG.open_choices.figure,
    params:
        code=code("plot_ledger"),
        settings=lambda wildcards: for_open_choices(CONFIG).model_dump_json(),
        command=f"choices {CHANGES}",
    log:
        f"{LOGS}/plot_ledger/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_ledger/{{figure}}.tsv"
    resources:
        **needs("plot_ledger"),


use rule plot_architecture as plot_trained with:
    wildcard_constraints:
        figure=CURVES.figure,
    params:
        code=code("plot_trained"),
        settings=lambda wildcards: for_choice_curves(CONFIG).model_dump_json(),
        command=f"trained {CHANGES_TRAINED}",
    log:
        f"{LOGS}/plot_trained/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_trained/{{figure}}.tsv"
    resources:
        **needs("plot_trained"),
