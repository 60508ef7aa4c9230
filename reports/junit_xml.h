/* junit_xml.h: a run as JUnit XML, for CI pages that show test results.
 *
 * One <testsuite> for the whole run and one per flow; one <testcase> per criterion (threshold) in the suite of the flow
 * that it is about, and one that says whether anything was measured. In the suite of the whole run the first case is
 * the soundness of the generator itself. Times are seconds.
 *
 *   not met                                   <failure>, the whole explanation in its body: GitLab shows nothing else
 *   nothing can be said (an invalid or        <skipped>; in an invalid run the case of the generator fails, so that a
 *   interrupted run, a flow that never ran)   page with nothing but skipped cases is not taken for a success
 *
 * Text from outside is cleaned and escaped. Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_JUNIT_XML_H
#define WEIR_REPORTS_JUNIT_XML_H

#include "base/buf.h"
#include "record/run.h"

/* For more criteria, all failing, than a scenario and a command line can have. */
#define JUNIT_BYTES_MAX (16u << 20)

void report_run_junit(const struct run_record *r, struct buf *out);

#endif
