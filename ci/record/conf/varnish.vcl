vcl 4.1;
backend aiohttp { .host = "@AIOHTTP_HOST@"; .port = "@PORT@"; }
backend inner { .host = "@RECORDER_HOST@"; .port = "@PORT@"; }
sub vcl_recv {
  if (local.socket == "inner") { set req.backend_hint = inner; return (pass); }
  if (req.url == "/synth") { return (synth(750, "Made Here")); }
  if (req.url == "/forbidden") { return (synth(403, "Forbidden")); }
}
sub vcl_synth {
  if (resp.status == 750) { set resp.status = 200; set resp.http.Content-Type = "text/plain"; synthetic({"from the cache
"}); return (deliver); }
}
sub vcl_backend_response {
  if (bereq.url ~ "cache=max-age") { set beresp.ttl = 60s; }
  if (bereq.url ~ "^/large|^/chunked") { set beresp.do_stream = true; }
}
