/* vm_parts.h: what the files of the virtual user share. Private to scenarios/vm*.c. */
#ifndef WEIR_SCENARIOS_VM_PARTS_H
#define WEIR_SCENARIOS_VM_PARTS_H

#include "scenarios/vm.h"

/* Renders <t> behind what is in <out>. False, with vm->problem set, when it does not fit or cannot stand there;
 * <what> names the place for people. */
bool vm_render(struct vm *vm, const struct template *t, struct buf *out, const char *what);

/* Whether a template is one literal (or empty), and then its text: nothing has to be copied. */
bool vm_constant(const struct template *t, struct str *ret_text);

/* Fills vm->request for program.steps[step]. False as above. */
bool vm_build_request(struct vm *vm, uint32_t step);

/* Judges the answer that was fed and <reply>: fills vm->outcome, sets the extracted variables. */
void vm_judge(struct vm *vm, const struct vm_reply *reply);

#endif
