#ifndef ANYLOOP_CURL_H
#define ANYLOOP_CURL_H
#endif
