#include "canary/drivers/haproxy_answers.h"

/* Columns of `show stat` that are wanted; their places differ between versions. */
enum column { COL_PROXY, COL_SERVER, COL_CURRENT, COL_STATUS, COL_REQUESTS, COLUMNS };
static const char *const column_names[COLUMNS] = { "pxname", "svname", "scur", "status", "req_tot" };

struct columns {
	size_t at[COLUMNS]; /* SIZE_MAX: not there */
};

static void read_columns(struct str line, struct columns *ret)
{
	struct str name;
	for (size_t c = 0; c < COLUMNS; c++)
		ret->at[c] = SIZE_MAX;
	for (size_t i = 0; str_cut(&line, ',', &name); i++) {
		for (size_t c = 0; c < COLUMNS; c++) {
			if (str_is(name, column_names[c]))
				ret->at[c] = i;
		}
	}
}

static void read_row(struct str line, const struct columns *columns, struct haproxy_state *s)
{
	struct str cells[COLUMNS] = { { 0 } }, cell;
	for (size_t i = 0; str_cut(&line, ',', &cell); i++) {
		for (size_t c = 0; c < COLUMNS; c++) {
			if (columns->at[c] == i)
				cells[c] = cell;
		}
	}
	if (!str_is(cells[COL_SERVER], "BACKEND"))
		return;
	enum arm arm;
	if (str_is(cells[COL_PROXY], HAPROXY_BACKEND_STABLE))
		arm = ARM_STABLE;
	else if (str_is(cells[COL_PROXY], HAPROXY_BACKEND_CANARY))
		arm = ARM_CANARY;
	else
		return;
	s->has_arm[arm] = str_to_u64(cells[COL_REQUESTS], &s->requests[arm]) &&
	                  str_to_u64(cells[COL_CURRENT], &s->in_flight[arm]);
	s->arm_up[arm] = str_starts(cells[COL_STATUS], STR("UP"));
}

/* "Name: value" of show info. */
static void read_property(struct str line, struct haproxy_state *s)
{
	const size_t colon = str_find(line, ':');
	if (colon == line.len)
		return;
	const struct str name = str_first(line, colon), value = str_trim(str_from_at(line, colon + 1));
	uint64_t number = 0;
	const bool numeric = str_to_u64(value, &number);
	if (str_is(name, "Pid") && numeric && number <= INT32_MAX)
		s->pid = (int64_t)number;
	else if (str_is(name, "DroppedLogs") && numeric)
		s->logs_dropped = number;
	else if (str_is(name, "Stopping"))
		s->stopping = number != 0;
	else if (str_is(name, "description") && str_starts(value, STR("weir ")))
		s->hash = str_from_at(value, 5);
}

/* "0x55d0 weight 500" of show map; the address is gone. */
static void read_map_entry(struct str rest, struct haproxy_state *s)
{
	struct str key = { 0 };
	uint64_t number;
	str_cut(&rest, ' ', &key);
	if (!str_to_u64(str_trim(rest), &number))
		return;
	if (str_is(key, "weight") && number <= WEIGHT_FULL_BP) {
		s->weight_bp = (int32_t)number;
		s->has_weight = true;
	} else if (str_is(key, "hold")) {
		s->hold = number != 0;
	}
}

/* "key=rollout use=0 exp=1234 gpt0=1" of show table. */
static void read_table_entry(struct str rest, struct haproxy_state *s)
{
	struct str word;
	bool ours = false;
	uint64_t left = 0, tag = 0;
	while (str_cut(&rest, ' ', &word)) {
		if (str_is(word, "key=" HAPROXY_LEASE_KEY))
			ours = true;
		else if (str_starts(word, STR("exp=")))
			str_to_u64(str_from_at(word, 4), &left);
		else if (str_starts(word, STR("gpt0=")))
			str_to_u64(str_from_at(word, 5), &tag);
	}
	if (!ours || tag == 0)
		return;
	s->leased = true;
	s->lease_ms = left < INT32_MAX ? (int64_t)left : INT32_MAX;
}

static void read_entry(struct str line, struct haproxy_state *s)
{
	struct str address = { 0 };
	str_cut(&line, ' ', &address);
	if (address.len > 0 && address.p[address.len - 1] == ':')
		read_table_entry(line, s);
	else
		read_map_entry(line, s);
}

bool haproxy_state_parse(struct str text, struct haproxy_state *ret)
{
	struct columns columns = { 0 };
	bool in_stat = false;
	struct str line;
	*ret = (struct haproxy_state){ 0 };
	while (str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (str_starts(line, STR("# pxname,"))) {
			read_columns(str_from_at(line, 2), &columns);
			in_stat = true;
		} else if (line.len == 0) {
			in_stat = false;
		} else if (in_stat) {
			read_row(line, &columns, ret);
		} else if (str_starts(line, STR("0x"))) {
			read_entry(line, ret);
		} else {
			read_property(line, ret);
		}
	}
	return ret->pid > 0 && ret->has_weight && ret->has_arm[ARM_STABLE] && ret->has_arm[ARM_CANARY];
}

int32_t haproxy_state_weight(const struct haproxy_state *s)
{
	return s->hold || s->leased ? s->weight_bp : 0;
}

struct str haproxy_first_alert(struct str output)
{
	struct str line;
	while (str_cut(&output, '\n', &line)) {
		if (!str_starts(line, STR("[ALERT]")))
			continue;
		const size_t colon = str_find(line, ':');
		return str_trim(str_from_at(line, colon + 1));
	}
	return STR("");
}
