# The finished run as an RO-Crate, to be deposited or sent.

CRATE = f"{RESULTS}/crate/run.zip"


rule export_crate:
    input:
        rules.all.input,
    output:
        zip=CRATE,
    params:
        code=code("export_crate"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/export_crate.log",
    benchmark:
        f"{BENCHMARKS}/export_crate.tsv"
    threads: 1
    resources:
        **needs("export_crate"),
    message:
        "Exporting the run as an RO-Crate"
    shell:
        "dynparam crate {output.zip:q} --config only={params.settings:q} > {log:q} 2>&1"
