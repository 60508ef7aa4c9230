/* commands.h: every command, one line each, in the order of the help. */
#ifndef WEIR_CLI_COMMANDS_H
#define WEIR_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_load_run, cmd_load_search;
extern const struct command cmd_scenario_check, cmd_scenario_dump, cmd_scenario_import, cmd_scenario_schema,
	cmd_scenario_try;
extern const struct command cmd_baseline_set, cmd_baseline_list, cmd_baseline_show, cmd_baseline_compare;
extern const struct command cmd_canary_run, cmd_canary_status, cmd_canary_pause, cmd_canary_resume, cmd_canary_promote,
	cmd_canary_abort;
extern const struct command cmd_report_load, cmd_report_capacity, cmd_report_rollout;
extern const struct command cmd_audit_verify, cmd_doctor;

#endif
