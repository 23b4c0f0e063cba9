import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ArgumentError } from '../errors/index.js'

/** Bytes of what a failed program said that go into the message. */
const SAID_MAX = 400

/**
 * Calls with each line of the members of an archive, member after member, without writing them anywhere. Node has no XZ of its own, so the
 * `tar` and `xz` of the system unpack it.
 *
 * @param archive a .tar.xz
 * @param members a pattern of their names, as `tar --wildcards` takes it
 * @param command what unpacks
 * @throws ArgumentError naming the archive and what to install, if it cannot be unpacked
 */
export async function linesOf(archive: string, members: string, each: (line: string) => void, command = 'tar'): Promise<void> {
  const tar = spawn(command, ['-xJOf', archive, '--wildcards', members], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, SAID_MAX)
  })
  const failure = (why: string) =>
    new ArgumentError(`${archive} cannot be unpacked (${why}): needs tar and xz, as \`apt-get install tar xz-utils\``, {
      option: 'data',
      given: archive
    })
  const ended = new Promise<ArgumentError | undefined>(resolve => {
    tar.once('error', error => resolve(failure(error.message)))
    tar.once('close', code => resolve(code === 0 ? undefined : failure(said.trim() || `${command} ended with ${code}`)))
  })
  try {
    for await (const line of createInterface({ input: tar.stdout, crlfDelay: Number.POSITIVE_INFINITY })) each(line)
  } finally {
    tar.stdout.destroy() // what is no longer read ends tar
  }
  const failed = await ended
  if (failed !== undefined) throw failed
}
