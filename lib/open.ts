import { Agent, type AgentOptions } from './agent/agent.js'
import { flag, onlyKnown, optionsObject } from './checks.js'
import { enableEnclosing } from './enclosing.js'
import { VersionError } from './errors/index.js'
import { Governor } from './governor.js'
import type { LeakReport } from './leak-report.js'
import { fromNative } from './native/codes.js'
import { loadAddon } from './native/load.js'
import { Waiting } from './native/waiting.js'
import { arenaName, type OpenOptions, path, type ReadOptions, readOpenOptions } from './open-options.js'
import { type OpenArena, Session } from './session.js'

/**
 * Opens an arena: by name, shared by all processes of the host; without a name, the private one that all threads of the process
 * share. The addon is loaded by the first call.
 *
 * @throws ArgumentError, NameError; LoadError; ConfigError if the arena exists with other options; OwnerError, VersionError,
 *   CorruptError, CapacityError, MemoryError
 */
export function open(options?: OpenOptions): Governor {
  const read = readOpenOptions(options)
  const governor = new Governor(onLeak => join(read, onLeak))
  if (read.predict !== undefined) begin(governor, read.predict)
  return governor
}

function begin(governor: Governor, options: AgentOptions): void {
  try {
    Agent.begin(governor.agent, options)
  } catch (error) {
    void governor.close()
    throw error
  }
}

/** An environment of its own on an arena, without a governor: for what works in a thread of its own. @internal */
export function joinArena(options: OpenOptions): Session {
  return join(readOpenOptions(options), () => {})
}

/**
 * Removes a named arena. Those who still have it open, with `force`, get a RetiredError from then on.
 *
 * @returns false if there was none
 * @throws InUseError while participants live, unless `force`; ArgumentError, NameError, LoadError, OwnerError
 */
export function unlink(name: string, options?: { dir?: string; force?: boolean }): boolean {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['dir', 'force'], 'unlink()')
  const { dir, force } = given as { dir?: unknown; force?: unknown }
  const arena = arenaName(name)
  const where = dir === undefined ? undefined : path(dir, 'dir')
  const forced = force === undefined ? false : flag(force, 'force')
  try {
    return loadAddon().unlink(arena, where, forced)
  } catch (error) {
    throw fromNative(error, arena)
  }
}

function join(options: ReadOptions, onLeak: (report: LeakReport) => void): Session {
  const { native, autoEnclose, reportLeaks, shadow, privacy, events, time } = options
  // Set once the arena is joined; the addon may ring before that, when there is nothing to settle yet.
  let waiting: Waiting | undefined
  const binding = openArena(native, () => waiting?.drain())
  waiting = Waiting.of(binding)
  if (waiting === undefined) {
    binding.close()
    throw new VersionError('another version of forelock has this arena open in this thread, and the two cannot share it', {
      option: 'version',
      stored: (binding.state as { version?: unknown }).version,
      given: Waiting.VERSION
    })
  }
  if (autoEnclose) enableEnclosing()
  time.now = () => binding.wallClock(binding.now())
  return new Session(binding, waiting, autoEnclose, reportLeaks, onLeak, privacy, shadow, native.dir, events)
}

function openArena(native: ReadOptions['native'], onWake: () => void): OpenArena {
  try {
    const binding = loadAddon().open({ ...native, onWake })
    if (native.update === true) noteUpdates(binding, native)
    return binding
  } catch (error) {
    throw fromNative(error, native.name ?? native.handle ?? '')
  }
}

/** The addon tells the options as they were when this environment joined the arena, which may be before this update. */
function noteUpdates(binding: { ageingMs: number; tiers: string[] }, { ageingMs, tiers }: ReadOptions['native']): void {
  if (ageingMs !== undefined) binding.ageingMs = ageingMs
  if (tiers !== undefined) binding.tiers = tiers
}
