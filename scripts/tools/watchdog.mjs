/**
 * Ends a command and all it started when its time is over, or when we are told to end. The command was spawned with
 * `detached`, so that what it starts is in its process group, where our own Ctrl-C does not reach it.
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} timeoutMs
 * @param {() => void} onTimeout called before the command is ended for its time
 * @returns {() => void} stops watching
 */
export function watch(child, timeoutMs, onTimeout) {
  const end = () => process.kill(-child.pid, 'SIGKILL')
  const interrupted = () => {
    end()
    process.exit(130)
  }
  const timer = setTimeout(() => {
    onTimeout()
    end()
  }, timeoutMs)
  const signals = ['SIGINT', 'SIGTERM']
  for (const signal of signals) process.on(signal, interrupted)
  return () => {
    clearTimeout(timer)
    for (const signal of signals) process.off(signal, interrupted)
  }
}
