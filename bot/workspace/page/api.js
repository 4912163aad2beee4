// The control API, as the page uses it.

export class ApiError extends Error {
  constructor(body) {
    super(body.error);
    this.body = body;
  }
}

// Which words a person reads for a refused or failed call.
export function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.message === "no_connection") return "The workspace does not answer. Is it still running?";
  return `Not possible: ${error.message.replaceAll("_", " ")}.`;
}

async function answerOf(request) {
  const response = await request.catch(() => {
    throw new ApiError({ error: "no_connection" });
  });
  const body = await response.json();
  if (!body.ok) throw new ApiError(body);
  return body;
}

export async function read(what, query = {}) {
  const url = new URL(`/_control/${what}`, location.origin);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return answerOf(fetch(url));
}

export async function act(deed, body) {
  return answerOf(fetch(`/_control/${deed}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }));
}
