import { LoadError } from '../errors/index.js'

/**
 * A package that comes with forelock only if its user installed it too.
 *
 * @throws LoadError that names the command
 */
export async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const remedy = `npm install ${name}`
    throw new LoadError(
      `this history needs the package ${name}, which could not be loaded: ${remedy}`,
      {
        attempts: [{ from: name, error }],
        remedies: [remedy]
      },
      error
    )
  }
}
