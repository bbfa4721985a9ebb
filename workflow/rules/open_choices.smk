# What the thesis leaves open: trials under every choice, the changes of slopes, their page and figure.

from dynparam.configuration.choices import (
    chosen_config,
    load_open_choices,
    trials_stage,
)
from dynparam.experiments.open_choices.settings import for_open_choices

ENTRIES = "config/open_choices.yaml"
CHANGES = f"{RESULTS}/open_choices/changes.csv"

try:
    OPEN_CHOICES = load_open_choices(Path(ENTRIES), CONFIG)
    CHOSEN = {
        choice: chosen_config(OPEN_CHOICES, CONFIG, choice)
        for choice, _ in OPEN_CHOICES.needed_trials()
    }
except DynparamError as error:
    raise WorkflowError(str(error)) from None


def pool_option(chosen):
    """Whether the probe draws its subset from all images of its classes."""
    return "--pool" if chosen.probe.subset == "redrawn" else ""


def choice_images(wildcards):
    """The images of a choice's trials: the default's, or all of its classes', or a draw of its own."""
    chosen = CHOSEN[wildcards.choice]
    if chosen.data != CONFIG.data:
        return (
            f"{DATA}/processed/open_choices/{wildcards.choice}/{chosen.probe.pair}.npz"
        )
    kind = ".pool" if pool_option(chosen) else ""
    return f"{DATA}/processed/{chosen.probe.pair}{kind}.npz"


wildcard_constraints:
    choice=any_of(CHOSEN),
    engine="dense|law",


use rule extract_pair as extract_choice with:
    output:
        images=f"{DATA}/processed/open_choices/{{choice}}/{{pair}}.npz",
        manifest=f"{DATA}/processed/open_choices/{{choice}}/{{pair}}.json",
    params:
        settings=lambda wildcards: for_pair(
            CHOSEN[wildcards.choice], wildcards.pair
        ).model_dump_json(),
        pool=lambda wildcards: pool_option(CHOSEN[wildcards.choice]),
    log:
        f"{LOGS}/extract_choice/{{choice}}/{{pair}}.log",
    benchmark:
        f"{BENCHMARKS}/extract_choice/{{choice}}/{{pair}}.tsv"
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
        "dynparam choices measure --engine {wildcards.engine} --config {params.settings:q}"
        " --images {input.images:q} --output {output.trials:q} 2>&1 | tee {log:q} >&2"


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
        "dynparam choices compare --config {params.settings:q} --choices {input.entries:q}"
        " --results {RESULTS:q} --output {output.changes:q} 2>&1 | tee {log:q} >&2"


rule write_ledger:
    input:
        changes=CHANGES,
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
        "dynparam choices page {input.changes:q} --config {params.settings:q}"
        " --choices {input.entries:q} --output {output.page:q} 2>&1 | tee {log:q} >&2"


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
