/* Runs a fuzz target over every file of its corpus: what a fuzzer once found stays a plain test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	int files = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct buf text;
		if (entry->d_name[0] == '.')
			continue;
		char *path = xasprintf("%s/%s", argv[1], entry->d_name);
		buf_init(&text, 16u << 20);
		if (file_read(path, &text, NULL) == 0) {
			LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&text), text.len);
			files++;
		}
		buf_finish(&text);
		free(path);
	}
	closedir(folder);
	printf("%d inputs\n", files);
	return files ? 0 : 1; /* an empty corpus proves nothing */
}
