# The curves of Figs. 3.4 and 3.5: trained in shards of seeds, or archived and audited. Snakemake compares
# the times of files; what is archived may be of any time, so that its content counts as a parameter.


rule train_seeds:
    input:
        images=run_images,
    output:
        curves=f"{RESULTS}/training/shards/{{task}}/{{network}}/{{parametrization}}/{{seeds}}.csv",
        sidecar=f"{RESULTS}/training/shards/{{task}}/{{network}}/{{parametrization}}/{{seeds}}.json",
    params:
        code=code("train_seeds"),
        settings=lambda wildcards: run_settings(wildcards),
    log:
        f"{LOGS}/train_seeds/{{task}}/{{network}}/{{parametrization}}/{{seeds}}.log",
    benchmark:
        f"{BENCHMARKS}/train_seeds/{{task}}/{{network}}/{{parametrization}}/{{seeds}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **training_needs("train_seeds"),
    message:
        "Training {wildcards.parametrization} {wildcards.network} on {wildcards.task}, seeds {wildcards.seeds}"
    shell:
        "dynparam train {wildcards.task} {wildcards.parametrization} --seeds {wildcards.seeds}"
        " --config only={params.settings:q} --images {input.images:q} --runs {RUNS_DIRECTORY:q}"
        " --device {CONFIG.jobs.training_device} --threads {threads}"
        " --seeds-at-once {CONFIG.jobs.seeds_at_once}"
        " --checkpoint-epochs {CONFIG.training.checkpoint_epochs}"
        " --output {output.curves:q} > {log:q} 2>&1"


# One job audits a network under all parametrizations: loading torch and multiplying all images with each
# other take longer than the epochs of a narrow network.
rule audit_archive:
    input:
        archive=lambda wildcards: [
            file for run in runs_of(wildcards) for file in archived_files(run)
        ],
        images=run_images,
    output:
        expand(
            f"{RESULTS}/audit/{{task}}/{{network}}/{{one}}.json",
            one=CONFIG.training.parametrizations,
            allow_missing=True,
        ),
    params:
        code=code("audit_archive"),
        settings=lambda wildcards: for_audit(
            CONFIG, wildcards.task, wildcards.network
        ).model_dump_json(),
        names=CONFIG.training.parametrizations,
        archive=lambda wildcards: archive_path(runs_of(wildcards)[0]).parent,
        content=lambda wildcards: [archive_content(run) for run in runs_of(wildcards)],
        place=lambda wildcards, output: Path(output[0]).parent,
    log:
        f"{LOGS}/audit_archive/{{task}}/{{network}}.log",
    benchmark:
        f"{BENCHMARKS}/audit_archive/{{task}}/{{network}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **training_needs("audit_archive"),
    message:
        "Auditing the archived curves of {wildcards.network} on {wildcards.task}"
    shell:
        "dynparam audit {wildcards.task} {params.names} --config only={params.settings:q}"
        " --curves {params.archive:q} --images {input.images:q}"
        " --device {CONFIG.jobs.training_device} --threads {threads}"
        " --output {params.place:q} > {log:q} 2>&1"


rule collect_curves:
    input:
        unpack(curve_sources),
    output:
        curves=f"{RESULTS}/training/{{run}}.csv",
        sidecar=f"{RESULTS}/training/{{run}}.json",
    wildcard_constraints:
        run="|".join(RUNS),
    params:
        code=code("collect_curves"),
        settings=lambda wildcards: collected_settings(RUNS[wildcards.run]),
        content=lambda wildcards: collected_content(RUNS[wildcards.run]),
        curves=curve_arguments,
    log:
        f"{LOGS}/collect_curves/{{run}}.log",
    benchmark:
        f"{BENCHMARKS}/collect_curves/{{run}}.tsv"
    threads: 1
    resources:
        **needs("collect_curves"),
    message:
        "Collecting the curves of {wildcards.run}"
    shell:
        "dynparam collect {params.curves} --config only={params.settings:q}"
        " --images {input.images:q} --output {output.curves:q} > {log:q} 2>&1"


# Trains the seeds that the archive lacks and adds them to it, a tracked file that no rule declares:
# it is the source of every other job.
rule extend_archive:
    input:
        curves=missing_shards,
        images=run_images,
    output:
        receipt=f"{RESULTS}/archived/{{task}}/{{network}}/{{parametrization}}.txt",
    params:
        code=code("extend_archive"),
        settings=lambda wildcards: run_settings(wildcards),
        archive=lambda wildcards: archive_path(wildcards),
    log:
        f"{LOGS}/extend_archive/{{task}}/{{network}}/{{parametrization}}.log",
    benchmark:
        f"{BENCHMARKS}/extend_archive/{{task}}/{{network}}/{{parametrization}}.tsv"
    threads: 1
    resources:
        **needs("extend_archive"),
    message:
        "Adding to the archive of {wildcards.parametrization} {wildcards.network} on {wildcards.task}"
    shell:
        "dynparam archive {input.curves:q} --config only={params.settings:q} --images {input.images:q}"
        " --archive {params.archive:q} 2>&1 | tee {output.receipt:q} {log:q} >&2"
