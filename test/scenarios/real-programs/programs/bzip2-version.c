// Says which bzip2 it was given.
#include <stdio.h>

const char *BZ2_bzlibVersion(void);

int main(void)
{
	printf("bz2 %s\n", BZ2_bzlibVersion());
	return 0;
}
