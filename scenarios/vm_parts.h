/* vm_parts.h: what the files of the virtual user share. Private to scenarios/vm*.c. */
#ifndef WEIR_SCENARIOS_VM_PARTS_H
#define WEIR_SCENARIOS_VM_PARTS_H

#include "scenarios/vm.h"

/* Renders <t> behind what is in <out>. False, with vm->problem set, when it does not fit or cannot stand there;
 * <what> names the place for people. */
bool vm_render(struct vm *vm, const struct template *t, struct buf *out, const char *what);

/* Whether a template is one literal (or empty), and then its text: nothing has to be copied. */
bool vm_constant(const struct template *t, struct str *ret_text);

/* --- vm_send.c --- */

/* Fills vm->request for program.steps[step] and makes ready for its answer. False as above. */
bool vm_send(struct vm *vm, uint32_t step);

/* The same step once more: as it was, or, when it was redirected meanwhile, from its beginning. False as above. */
bool vm_send_again(struct vm *vm);

/* When the step has to be tried again after <reply>: fills vm->pause_ns (may be 0). */
bool vm_retries(struct vm *vm, const struct vm_reply *reply);

/* When <reply> is a redirect that has to be followed: fills vm->request. */
bool vm_redirects(struct vm *vm, const struct vm_reply *reply);

/* --- vm_judge.c --- */

/* Judges the answer that was fed and <reply>: fills vm->outcome, sets the extracted variables. */
void vm_judge(struct vm *vm, const struct vm_reply *reply);

/* Whether the status is in one of the ranges. */
bool status_fits(const struct status_range *ranges, uint32_t count, int status);

#endif
