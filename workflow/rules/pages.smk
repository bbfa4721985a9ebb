# The pages that quote a run: the findings, the claims of the sources, the companions, and the report.

from dynparam.report.contents import PUBLISHED, companion_pages
from dynparam.report.published import compared_files, published_digest
from dynparam.report.stages import (
    companion_files,
    overview_files,
    quoted_files,
    shown_files,
)

PAGE, SUMMARY = CONFIG.findings.page, CONFIG.findings.summary
COMPANIONS = CONFIG.findings.companions
COMPANION_PAGES = companion_pages(CONFIG)
FINDINGS = [page for page in (PAGE, SUMMARY) if page]
if COMPANIONS:
    TARGETS["companions"] = [
        COMPANIONS,
        *(one.path for one in COMPANION_PAGES.values()),
    ]
MEASURED_NEEDS = Path("workflow/resources.yaml")
REPORT = f"{RESULTS}/report/report.html"


rule write_findings:
    input:
        quoted=quoted_files(CONFIG),
        templates=sorted(Path("src/dynparam/experiments").glob("*/findings.md.j2")),
        head="src/dynparam/report/findings.md.j2",
        shared="src/dynparam/presentation/sentences.md.j2",
    output:
        page=PAGE or "findings.md",
        sidecar=(PAGE or Path("findings.md")).with_suffix(".json"),
    params:
        command="findings",
        code=code("write_findings"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_findings.log",
    benchmark:
        f"{BENCHMARKS}/write_findings.tsv"
    threads: 1
    resources:
        **needs("write_findings"),
    message:
        "Writing the findings"
    shell:
        "dynparam {params.command} --config only={params.settings:q} --output {output.page:q}"
        " > {log:q} 2>&1"


use rule write_findings as write_summary with:
    input:
        quoted=quoted_files(CONFIG),
        templates=sorted(Path("src/dynparam/experiments").glob("*/findings.ja.md.j2")),
        head="src/dynparam/report/findings.ja.md.j2",
        shared="src/dynparam/presentation/sentences.ja.md.j2",
    output:
        page=SUMMARY or "findings.ja.md",
        sidecar=(SUMMARY or Path("findings.ja.md")).with_suffix(".json"),
    params:
        command="summary",
        code=code("write_summary"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_summary.log",
    benchmark:
        f"{BENCHMARKS}/write_summary.tsv"
    resources:
        **needs("write_summary"),
    message:
        "Writing the findings' summary in Japanese"


use rule write_findings as write_companions with:
    input:
        overview_files(CONFIG, MEASURED_NEEDS),
        templates="src/dynparam/report/companions.md.j2",
    output:
        page=COMPANIONS or "companions.md",
        sidecar=(COMPANIONS or Path("companions.md")).with_suffix(".json"),
    params:
        command="companions",
        code=code("write_companions"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_companions.log",
    benchmark:
        f"{BENCHMARKS}/write_companions.tsv"
    resources:
        **needs("write_companions"),
    message:
        "Writing the overview of the companion experiments"


use rule write_findings as write_companion with:
    input:
        lambda wildcards: companion_files(CONFIG, wildcards.experiment, MEASURED_NEEDS),
        templates="src/dynparam/report/companion.md.j2",
    output:
        page=(COMPANIONS or Path("companions")).with_suffix("") / "{experiment}.md",
        sidecar=(COMPANIONS or Path("companions")).with_suffix("") / "{experiment}.json",
    wildcard_constraints:
        experiment=any_of(COMPANION_PAGES),
    params:
        command=lambda wildcards: f"companion {wildcards.experiment}",
        code=code("write_companion"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_companion/{{experiment}}.log",
    benchmark:
        f"{BENCHMARKS}/write_companion/{{experiment}}.tsv"
    resources:
        **needs("write_companion"),
    message:
        "Writing the page of {wildcards.experiment}"


use rule write_findings as write_sources with:
    input:
        quoted_files(CONFIG),
    output:
        page=marked_table(SOURCES.place)[0],
        beside=marked_table(SOURCES.place)[1:],
    params:
        command="sources",
        code=code("write_sources"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/write_sources.log",
    benchmark:
        f"{BENCHMARKS}/write_sources.tsv"
    resources:
        **needs("write_sources"),
    message:
        "Judging what the two source documents claim"


# What the repository keeps is a parameter and no input: its files' times say nothing.
use rule write_findings as compare_published with:
    input:
        compared_files(CONFIG),
    output:
        page=marked_table(PUBLISHED.place)[0],
        beside=marked_table(PUBLISHED.place)[1:],
    params:
        command="report published",
        code=code("compare_published"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
        published=lambda wildcards: published_digest(CONFIG),
    log:
        f"{LOGS}/compare_published.log",
    benchmark:
        f"{BENCHMARKS}/compare_published.tsv"
    resources:
        **needs("compare_published"),
    message:
        "Comparing this run with the published one"


rule assemble_report:
    input:
        shown=shown_files(CONFIG),
        captions=sorted(Path("src/dynparam/experiments").glob("*/captions/*.rst")),
        look=[
            path
            for kind in ("html.j2", "css", "js")
            for path in sorted(Path("src/dynparam").rglob(f"*.{kind}"))
        ],
        citation="src/dynparam/report/CITATION.cff",
    output:
        page=REPORT,
        sidecar=f"{RESULTS}/report/report.json",
    params:
        code=code("assemble_report"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/assemble_report/report.log",
    benchmark:
        f"{BENCHMARKS}/assemble_report/report.tsv"
    threads: 1
    resources:
        **needs("assemble_report"),
    message:
        "Assembling the report"
    shell:
        "dynparam report page --config only={params.settings:q} --output {output.page:q}"
        " > {log:q} 2>&1"
