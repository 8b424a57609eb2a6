#!/usr/bin/perl
# Drives libwww-perl: lwp_client.pl METHOD URL [BODY-FILE]; prints status, headers and the body's digest as JSON.
use strict; use warnings;
use LWP::UserAgent; use HTTP::Request; use Digest::SHA qw(sha256_hex); use JSON::PP;
my ($method, $url, $file) = @ARGV;
my $agent = LWP::UserAgent->new(keep_alive => 1, max_redirect => 0);
my $request = HTTP::Request->new($method, $url);
if ($file) { local $/; open my $in, '<', $file or die $!; $request->content(<$in>); $request->header('Content-Type' => 'text/plain'); }
my $response = $agent->request($request);
my @headers;
$response->headers->scan(sub { push @headers, [$_[0], $_[1]] unless $_[0] =~ /^Client-/i });
print encode_json([{ status => $response->code + 0, headers => \@headers, body_length => length $response->content,
  body_sha256 => sha256_hex($response->content) }]), "\n";
