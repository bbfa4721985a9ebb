# Runs that differ in rate, initial scales, decay or updates: a table for each network and scheme, trained
# here, or archived and audited, as curves are.

from dynparam.configuration.arms import all_arms, for_arms_audit
from dynparam.data.settings import images_name

ARMS = all_arms(CONFIG)


def arms_images(wildcards):
    """The images of a table of arms, the third set among them."""
    stage = ARMS[wildcards.place]
    name = images_name(stage.task, validation=stage.data.validation_count)
    return f"{DATA}/processed/{name}.npz"


def arms_archive(wildcards):
    """Where a table of arms is archived."""
    return CONFIG.training.archive / f"{wildcards.place}.csv"


def arms_archived(wildcards):
    """The archived table and its sidecar, those that exist: a job names a missing one."""
    path = arms_archive(wildcards)
    return [str(file) for file in (path, path.with_suffix(".json")) if file.exists()]


def arms_beside(wildcards):
    """The option that names the archived table, whose runs are not trained again."""
    path = arms_archive(wildcards)
    wanted = CONFIG.training.reuse == "archive" and path.exists()
    return shlex.join(["--archive", str(path)]) if wanted else ""


def arms_settings(wildcards):
    """The blocks that auditing and collecting a table depend on, as JSON text."""
    return for_arms_audit(CONFIG, ARMS[wildcards.place]).model_dump_json()


def arms_sources(wildcards):
    """Where a table comes from: its training, or the archive and its audit."""
    images = arms_images(wildcards)
    if CONFIG.training.reuse == "none":
        trained = f"{RESULTS}/arms/trained/{wildcards.place}.csv"
        return {"curves": trained, "images": images}
    audit = f"{RESULTS}/audit/{wildcards.place}.json"
    return {"archive": arms_archived(wildcards), "images": images, "audit": audit}


def arms_arguments(wildcards, input):
    """The table to collect, and the audit it needs if it is archived."""
    if CONFIG.training.reuse == "none":
        return shlex.quote(input.curves)
    return shlex.join([str(arms_archive(wildcards)), "--audit", input.audit])


def arms_to_add(wildcards):
    """The table of the runs that the archive lacks; none if it lacks none."""
    # pandas takes a while to load, and is needed for this target alone.
    from dynparam.training.arms.table import lacking

    lacks = lacking(arms_archive(wildcards), ARMS[wildcards.place])
    return [f"{RESULTS}/arms/trained/{wildcards.place}.csv"] if lacks else []


def arms_needs(measured):
    """What a rule that trains arms asks for, from what training one seed has been measured to need."""
    stack = CONFIG.jobs.seeds_at_once if GPU else 1

    def mem_mb(wildcards, attempt):
        return NEEDS.training_mem_mb(measured, ARMS[wildcards.place], stack, attempt)

    def runtime(wildcards, attempt):
        stage = ARMS[wildcards.place]
        return NEEDS.training_minutes(
            measured, stage, stage.seeds * len(stage.arms), attempt
        )

    return {"mem_mb": mem_mb, "runtime": runtime, "gpu": GPU}


rule train_arms:
    input:
        images=arms_images,
    output:
        curves=f"{RESULTS}/arms/trained/{{place}}.csv",
        sidecar=f"{RESULTS}/arms/trained/{{place}}.json",
    wildcard_constraints:
        place=any_of(ARMS),
    params:
        code=code("train_arms"),
        settings=lambda wildcards: ARMS[wildcards.place].model_dump_json(),
        beside=arms_beside,
        content=lambda wildcards: content(arms_archive(wildcards)),
    log:
        f"{LOGS}/train_arms/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/train_arms/{{place}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **arms_needs("train_seeds"),
    message:
        "Training the arms of {wildcards.place}"
    shell:
        "dynparam arms train --config only={params.settings:q} --images {input.images:q} {params.beside}"
        " --runs {RUNS_DIRECTORY:q} --device {CONFIG.jobs.training_device} --threads {threads}"
        " --seeds-at-once {CONFIG.jobs.seeds_at_once}"
        " --checkpoint-epochs {CONFIG.training.checkpoint_epochs}"
        " --output {output.curves:q} > {log:q} 2>&1"


rule audit_arms:
    input:
        archive=arms_archived,
        images=arms_images,
    output:
        result=f"{RESULTS}/audit/{{place}}.json",
    wildcard_constraints:
        place=any_of(ARMS),
    params:
        code=code("audit_arms"),
        settings=arms_settings,
        archive=arms_archive,
        content=lambda wildcards: content(arms_archive(wildcards)),
    log:
        f"{LOGS}/audit_arms/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/audit_arms/{{place}}.tsv"
    threads: CONFIG.jobs.training_threads
    resources:
        **arms_needs("audit_archive"),
    message:
        "Auditing the archived arms of {wildcards.place}"
    shell:
        "dynparam arms audit --config only={params.settings:q} --curves {params.archive:q}"
        " --images {input.images:q} --device {CONFIG.jobs.training_device} --threads {threads}"
        " --output {output.result:q} > {log:q} 2>&1"


rule collect_arms:
    input:
        unpack(arms_sources),
    output:
        curves=f"{RESULTS}/arms/{{place}}.csv",
        sidecar=f"{RESULTS}/arms/{{place}}.json",
    wildcard_constraints:
        place=any_of(ARMS),
    params:
        code=code("collect_arms"),
        settings=arms_settings,
        content=lambda wildcards: (
            content(arms_archive(wildcards))
            if CONFIG.training.reuse == "archive"
            else ""
        ),
        curves=arms_arguments,
    log:
        f"{LOGS}/collect_arms/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/collect_arms/{{place}}.tsv"
    threads: 1
    resources:
        **needs("collect_arms"),
    message:
        "Collecting the arms of {wildcards.place}"
    shell:
        "dynparam arms collect {params.curves} --config only={params.settings:q}"
        " --images {input.images:q} --output {output.curves:q} > {log:q} 2>&1"


# Adds the runs that the archive lacks to it, a tracked file that no rule declares.
rule extend_arms:
    input:
        curves=arms_to_add,
        images=arms_images,
    output:
        receipt=f"{RESULTS}/archived/{{place}}.txt",
    wildcard_constraints:
        place=any_of(ARMS),
    params:
        code=code("extend_arms"),
        settings=lambda wildcards: ARMS[wildcards.place].model_dump_json(),
        archive=arms_archive,
    log:
        f"{LOGS}/extend_arms/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/extend_arms/{{place}}.tsv"
    threads: 1
    resources:
        **needs("extend_arms"),
    message:
        "Adding to the archived arms of {wildcards.place}"
    shell:
        "dynparam arms archive {input.curves:q} --config only={params.settings:q}"
        " --images {input.images:q} --output {params.archive:q} 2>&1 | tee {output.receipt:q} {log:q} >&2"
