// Names in .note.dlopen (UAPI.12) what it opens by names that it composes.
#include <dlfcn.h>
#include <stdio.h>

#define NOTE(json) \
	__asm__(".pushsection .note.dlopen,\"a\",@note\n.balign 4\n.long 4\n.long 1f-0f\n.long 0x407c0c0a\n.asciz \"FDO\"\n" \
		".balign 4\n0: .asciz \"" json "\"\n1:\n.balign 4\n.popsection\n")

#define Q "\\\""
NOTE("[{" Q "soname" Q ":[" Q "liblzma.so.99" Q "," Q "liblzma.so.5" Q "]," Q "priority" Q ":" Q "recommended" Q "}]");
NOTE("[{" Q "soname" Q ":[" Q "libnowhere.so.7" Q "]," Q "priority" Q ":" Q "required" Q "}]");
NOTE("[{" Q "soname" Q ":[" Q "libneverthere.so.7" Q "]," Q "priority" Q ":" Q "suggested" Q "}]");

int main(void)
{
	char name[64];
	snprintf(name, sizeof name, "lib%s.so.%d", "lzma", 5);
	void *library = dlopen(name, RTLD_NOW);
	puts(library ? "opened" : dlerror());
	return !library;
}
