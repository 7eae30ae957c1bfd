# The themes of performance/benchmark.rb, without benchmark-ips: a fixed number of times.
require File.join(Dir.pwd, 'performance/theme_runner')

runner = ThemeRunner.new
10.times { runner.render }
