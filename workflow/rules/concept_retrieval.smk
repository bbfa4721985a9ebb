# Repeated inference in variational autoencoders: measured and judged in one job, and drawn.

from dynparam.experiments.concept_retrieval.settings import (
    for_concept_trials,
    for_concepts,
)


rule measure_concepts:
    output:
        marked_table("concept_retrieval/verdicts"),
        measured=f"{RESULTS}/concept_retrieval/measured.csv",
    params:
        code=code("measure_concepts"),
        settings=lambda wildcards: for_concept_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_concepts.log",
    benchmark:
        f"{BENCHMARKS}/measure_concepts.tsv"
    threads: 1
    resources:
        **needs("measure_concepts"),
    message:
        "Repeating inference in variational autoencoders"
    shell:
        "dynparam concepts measure --config only={params.settings:q}"
        " --output {output[0]:q} > {log:q} 2>&1"


use rule plot_architecture as plot_concepts with:
    wildcard_constraints:
        figure=any_of([CONFIG.concept_retrieval.figure]),
    params:
        code=code("plot_concepts"),
        settings=lambda wildcards: for_concepts(CONFIG).model_dump_json(),
        command=f"concepts --results {RESULTS}",
    log:
        f"{LOGS}/plot_concepts/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_concepts/{{figure}}.tsv"
    resources:
        **needs("plot_concepts"),
