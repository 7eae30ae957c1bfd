from benchmarks import time_server_basic_get_with_realistic_headers

for _ in range(500):
    time_server_basic_get_with_realistic_headers()
