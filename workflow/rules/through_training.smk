# Networks looked at while they train: measured here, or archived and audited; judged and drawn. Of an
# archived table, which may be of any time, the content counts as a parameter.

from dynparam.experiments.through_training.settings import (
    for_through,
    for_through_audit,
    for_through_collection,
    for_through_run,
    probed_runs,
)

THROUGH = f"{RESULTS}/through_training"
THROUGH_NAMES = "|".join(CONFIG.through_training.parametrizations)


def probed_seeds(wildcards):
    """The seeds of the runs of a network: from 0 on."""
    network = CONFIG.through_training.network(wildcards.network)
    return f"0-{network.seeds - 1}"


def probed_archive(run):
    """Where the table of runs (wildcards, or ProbedRuns) is archived."""
    place = f"{run.task}/{run.network}/{run.parametrization}.csv"
    return CONFIG.through_training.archive / place


def probed_archive_files(run):
    """The archived table and its sidecar, those that exist: a job names a missing one."""
    path = probed_archive(run)
    return [str(file) for file in (path, path.with_suffix(".json")) if file.exists()]


def probed_source(wildcards):
    """Where a table comes from: where it was measured, or the archive and its audit."""
    place = f"{wildcards.task}/{wildcards.network}/{wildcards.parametrization}"
    images = f"{DATA}/processed/{wildcards.task}.npz"
    if CONFIG.training.reuse == "none":
        return {"table": f"{THROUGH}/measured/{place}.csv", "images": images}
    return {
        "archive": probed_archive_files(wildcards),
        "images": images,
        "audit": f"{THROUGH}/audit/{place}.json",
    }


def probed_arguments(wildcards, input):
    """The table to collect, and the audit it needs if it is archived."""
    if CONFIG.training.reuse == "none":
        return shlex.join([input.table])
    return shlex.join([str(probed_archive(wildcards)), "--audit", input.audit])


def probed_content(wildcards):
    """What the archive holds, if a table is collected from it."""
    return "" if CONFIG.training.reuse == "none" else content(probed_archive(wildcards))


rule measure_through:
    input:
        images=f"{DATA}/processed/{{task}}.npz",
    output:
        table=f"{THROUGH}/measured/{{task}}/{{network}}/{{parametrization}}.csv",
        sidecar=f"{THROUGH}/measured/{{task}}/{{network}}/{{parametrization}}.json",
    wildcard_constraints:
        parametrization=THROUGH_NAMES,
    params:
        code=code("measure_through"),
        settings=lambda wildcards: for_through_run(
            CONFIG, wildcards.task, wildcards.network
        ).model_dump_json(),
        seeds=probed_seeds,
    log:
        f"{LOGS}/measure_through/{{task}}/{{network}}/{{parametrization}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_through/{{task}}/{{network}}/{{parametrization}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **needs("measure_through"),
    message:
        "Looking at {wildcards.parametrization} {wildcards.network} while it trains on {wildcards.task}"
    shell:
        "dynparam through measure {wildcards.task} {wildcards.parametrization}"
        " --seeds {params.seeds} --config only={params.settings:q} --images {input.images:q}"
        " --threads {threads} --output {output.table:q} > {log:q} 2>&1"


rule audit_through:
    input:
        archive=lambda wildcards: probed_archive_files(wildcards),
        images=f"{DATA}/processed/{{task}}.npz",
    output:
        result=f"{THROUGH}/audit/{{task}}/{{network}}/{{parametrization}}.json",
    wildcard_constraints:
        parametrization=THROUGH_NAMES,
    params:
        code=code("audit_through"),
        settings=lambda wildcards: for_through_audit(
            CONFIG, wildcards.task, wildcards.network
        ).model_dump_json(),
        archive=lambda wildcards: probed_archive(wildcards),
        content=lambda wildcards: content(probed_archive(wildcards)),
    log:
        f"{LOGS}/audit_through/{{task}}/{{network}}/{{parametrization}}.log",
    benchmark:
        f"{BENCHMARKS}/audit_through/{{task}}/{{network}}/{{parametrization}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **needs("audit_through"),
    message:
        "Auditing the archived probes of {wildcards.parametrization} {wildcards.network} on {wildcards.task}"
    shell:
        "dynparam through audit {wildcards.task} {wildcards.parametrization} {params.archive:q}"
        " --config only={params.settings:q} --images {input.images:q} --threads {threads}"
        " --output {output.result:q} > {log:q} 2>&1"


rule collect_through:
    input:
        unpack(probed_source),
    output:
        table=f"{THROUGH}/{{task}}/{{network}}/{{parametrization}}.csv",
        sidecar=f"{THROUGH}/{{task}}/{{network}}/{{parametrization}}.json",
    wildcard_constraints:
        parametrization=THROUGH_NAMES,
    params:
        code=code("collect_through"),
        settings=lambda wildcards: for_through_collection(
            CONFIG, wildcards.task, wildcards.network
        ).model_dump_json(),
        content=probed_content,
        table=probed_arguments,
    log:
        f"{LOGS}/collect_through/{{task}}/{{network}}/{{parametrization}}.log",
    benchmark:
        f"{BENCHMARKS}/collect_through/{{task}}/{{network}}/{{parametrization}}.tsv"
    threads: 1
    resources:
        **needs("collect_through"),
    message:
        "Collecting the probes of {wildcards.parametrization} {wildcards.network} on {wildcards.task}"
    shell:
        "dynparam through collect {params.table} --config only={params.settings:q}"
        " --images {input.images:q} --output {output.table:q} > {log:q} 2>&1"


# Measures a table and puts it into the archive, a tracked file that no rule declares: it is the source of
# every other job.
rule archive_through:
    input:
        table=f"{THROUGH}/measured/{{task}}/{{network}}/{{parametrization}}.csv",
        images=f"{DATA}/processed/{{task}}.npz",
    output:
        receipt=f"{THROUGH}/archived/{{task}}/{{network}}/{{parametrization}}.txt",
    wildcard_constraints:
        parametrization=THROUGH_NAMES,
    params:
        code=code("archive_through"),
        settings=lambda wildcards: for_through_run(
            CONFIG, wildcards.task, wildcards.network
        ).model_dump_json(),
        archive=lambda wildcards: probed_archive(wildcards),
    log:
        f"{LOGS}/archive_through/{{task}}/{{network}}/{{parametrization}}.log",
    benchmark:
        f"{BENCHMARKS}/archive_through/{{task}}/{{network}}/{{parametrization}}.tsv"
    threads: 1
    resources:
        **needs("archive_through"),
    message:
        "Archiving the probes of {wildcards.parametrization} {wildcards.network} on {wildcards.task}"
    shell:
        "dynparam through archive {input.table:q} --config only={params.settings:q}"
        " --images {input.images:q} --output {params.archive:q} 2>&1 | tee {output.receipt:q} {log:q} >&2"


use rule compare_slopes as judge_through with:
    input:
        results_of(CONFIG.through_training.figure),
    output:
        marked_table("through_training/verdicts"),
    params:
        code=code("judge_through"),
        settings=lambda wildcards: for_through(CONFIG).model_dump_json(),
        command="through judge",
    log:
        f"{LOGS}/judge_through.log",
    benchmark:
        f"{BENCHMARKS}/judge_through.tsv"
    resources:
        **needs("judge_through"),
    message:
        "Judging what happens through training"


use rule plot_architecture as plot_through with:
    wildcard_constraints:
        figure=any_of([CONFIG.through_training.figure]),
    params:
        code=code("plot_through"),
        settings=lambda wildcards: for_through(CONFIG).model_dump_json(),
        command=f"through --results {RESULTS}",
    log:
        f"{LOGS}/plot_through/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_through/{{figure}}.tsv"
    resources:
        **needs("plot_through"),
