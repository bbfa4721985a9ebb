# CIFAR-10: the verified files, and the images of each two-class task.


# The hashes of the files are fixed: neither where they come from nor the code that fetches them can
# change them, so neither is a parameter, and no edit repeats a download.
rule retrieve_cifar10:
    output:
        # Verified files stay where they are while others are fetched, and if that fails.
        members=update(RAW),
        sidecar=f"{DATA}/raw/cifar10.json",
    log:
        f"{LOGS}/retrieve_cifar10.log",
    benchmark:
        f"{BENCHMARKS}/retrieve_cifar10.tsv"
    threads: 1
    resources:
        **needs("retrieve_cifar10"),
    message:
        "Retrieving and verifying CIFAR-10"
    shell:
        "dynparam data retrieve --config only={SOURCE:q} --output {DATA:q}/raw > {log:q} 2>&1"


rule extract_pair:
    input:
        RAW,
    output:
        images=f"{DATA}/processed/{{pair}}{{draw}}.npz",
        manifest=f"{DATA}/processed/{{pair}}{{draw}}.json",
    params:
        code=code("extract_pair"),
        settings=lambda wildcards: for_pair(
            CONFIG, wildcards.pair, draw_number(wildcards)
        ).model_dump_json(),
        pool="",
    log:
        f"{LOGS}/extract_pair/{{pair}}{{draw}}.log",
    benchmark:
        f"{BENCHMARKS}/extract_pair/{{pair}}{{draw}}.tsv"
    threads: 1
    resources:
        **needs("extract_pair"),
    message:
        "Drawing the images of {wildcards.pair}{wildcards.draw}"
    shell:
        "dynparam data extract {wildcards.pair} --config only={params.settings:q} --raw {DATA:q}/raw"
        " --output {output.images:q} {params.pool} > {log:q} 2>&1"


# With a third set of images, drawn from what training and test images leave over.
use rule extract_pair as extract_validated with:
    output:
        images=f"{DATA}/processed/{{pair}}.validation-{{images}}.npz",
        manifest=f"{DATA}/processed/{{pair}}.validation-{{images}}.json",
    wildcard_constraints:
        images=r"\d+",
    params:
        code=code("extract_pair"),
        settings=lambda wildcards: for_pair(CONFIG, wildcards.pair).model_dump_json(),
        pool=lambda wildcards: f"--validation {wildcards.images}",
    log:
        f"{LOGS}/extract_validated/{{pair}}.validation-{{images}}.log",
    benchmark:
        f"{BENCHMARKS}/extract_validated/{{pair}}.validation-{{images}}.tsv"
    resources:
        **needs("extract_validated"),
    message:
        "Drawing the images of {wildcards.pair} with {wildcards.images} more"


# All images of the two classes, for a probe that redraws its subset in every trial.
use rule extract_pair as extract_pool with:
    output:
        images=f"{DATA}/processed/{{pair}}.pool.npz",
        manifest=f"{DATA}/processed/{{pair}}.pool.json",
    params:
        pool="--pool",
    log:
        f"{LOGS}/extract_pool/{{pair}}.log",
    benchmark:
        f"{BENCHMARKS}/extract_pool/{{pair}}.tsv"
    resources:
        **needs("extract_pool"),
    message:
        "Collecting all images of {wildcards.pair}"
