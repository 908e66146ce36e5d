// Debian's luaconf.h asks for this header, which says where binary modules lie: a guest has none.
#pragma once

#define DEB_HOST_MULTIARCH "none"
