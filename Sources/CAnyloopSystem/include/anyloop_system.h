#ifndef ANYLOOP_SYSTEM_H
#define ANYLOOP_SYSTEM_H
#endif
