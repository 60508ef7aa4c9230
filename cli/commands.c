#include "cli/commands.h"

const struct command *const commands[] = {
	&cmd_load_run,         &cmd_load_search,    &cmd_scenario_check, &cmd_scenario_dump, &cmd_scenario_import,
	&cmd_scenario_schema,  &cmd_scenario_try,   &cmd_baseline_set,   &cmd_baseline_list, &cmd_baseline_show,
	&cmd_baseline_compare, &cmd_canary_run,     &cmd_canary_status,  &cmd_canary_abort,  &cmd_report_load,
	&cmd_report_capacity,  &cmd_report_rollout, &cmd_audit_verify,   &cmd_doctor,        NULL,
};
