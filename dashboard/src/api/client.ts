/** Requests to the API: the token goes along, problem details come back as errors. */
import { token, wantToken } from "./token";

export const API = "/api/v1";

/** What the server said was wrong, and with which parameter. Status 0: no answer at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly parameter?: string,
  ) {
    super(detail);
  }
}

export function isOvertaken(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function authorization(): Record<string, string> {
  return token.value === null ? {} : { Authorization: `Bearer ${token.value}` };
}

/** Return the problem in the answer to a request that was sent with `used`; also asks for a token where one is wanted. */
export function describeProblem(status: number, body: string, used: string | null): Problem {
  let problem = new Problem(status, `The server answered ${status}.`);
  try {
    const { detail, error, parameter } = JSON.parse(body) as { detail?: string; error?: string; parameter?: string };
    problem = new Problem(status, detail ?? error ?? problem.message, parameter);
  } catch {
    // Not a problem document: something between us and the server answered.
  }
  if (status === 401) wantToken(problem.message, used);
  return problem;
}

/** Send a request; raise Problem when it is refused or nobody answers. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const used = token.value;
  let response: Response;
  try {
    response = await fetch(path.startsWith("/") ? path : `${API}/${path}`, {
      ...init,
      headers: { ...authorization(), ...(init.headers as Record<string, string> | undefined) },
    });
  } catch (error) {
    if (isOvertaken(error)) throw error;
    throw new Problem(0, "The server does not answer.");
  }
  if (!response.ok) throw describeProblem(response.status, await response.text(), used);
  return response;
}

export async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  return (await (await send(path, init)).json()) as Answer;
}
