# The one-step probe: measured and expected alignments of a curve.


rule probe_alignment:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/probe/{{curve}}.csv",
        sidecar=f"{RESULTS}/probe/{{curve}}.json",
    params:
        code=stage_digest("probe_alignment"),
        settings=lambda wildcards: for_curve(CONFIG, wildcards.curve).model_dump_json(),
    log:
        f"{LOGS}/probe_alignment/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_alignment/{{curve}}.tsv"
    threads: CONFIG.jobs.probe_threads
    resources:
        **needs("probe_alignment"),
    message:
        "Probing {wildcards.curve}"
    shell:
        "dynparam probe {wildcards.curve} --config {params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.trials:q} 2>&1 | tee {log:q} >&2"


rule expect_slopes:
    input:
        images=probe_images,
    output:
        values=f"{RESULTS}/expected/{{curve}}.csv",
        sidecar=f"{RESULTS}/expected/{{curve}}.json",
    params:
        code=stage_digest("expect_slopes"),
        settings=lambda wildcards: for_curve(CONFIG, wildcards.curve).model_dump_json(),
    log:
        f"{LOGS}/expect_slopes/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/expect_slopes/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("expect_slopes"),
    message:
        "Computing what theory expects of {wildcards.curve}"
    shell:
        "dynparam expect {wildcards.curve} --config {params.settings:q}"
        " --images {input.images:q} --output {output.values:q} 2>&1 | tee {log:q} >&2"
