// One case of the project's own benchmark, timed by its own bench-thread.js: 500 samples, of 1 ms instead of 50.
const { Worker, isMainThread } = require('worker_threads')

if (isMainThread) {
  const arguments_ = [{ method: 'GET', url: '/param%2B' }]
  const workerData = { name: 'encoded', setupURLs: [{ method: 'GET', url: '/:param' }], arguments: arguments_ }
  new Worker('./bench-thread.js', { workerData, execArgv: ['--require', __filename] }).on('message', console.log)
} else {
  require('benchmark').options.minTime = 0.001
}
