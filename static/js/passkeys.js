// Passkeys: makes one, or has one say who is there, and sends the browser's answer with the form. What the server
// asks stands in the form, or is fetched where nobody is known yet. https://www.w3.org/TR/webauthn-3/

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const described = (list = []) => list.map((one) => ({ ...one, id: decode(one.id) }));

function making({ publicKey }) {
  const user = { ...publicKey.user, id: decode(publicKey.user.id) };
  const excludeCredentials = described(publicKey.excludeCredentials);
  return { publicKey: { ...publicKey, challenge: decode(publicKey.challenge), user, excludeCredentials } };
}

function using({ publicKey }) {
  const allowCredentials = described(publicKey.allowCredentials);
  return { publicKey: { ...publicKey, challenge: decode(publicKey.challenge), allowCredentials } };
}

// Every buffer of the answer by its name, as the server reads them.
function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = encode(credential.response[name]);
  }
  return {
    type: credential.type,
    id: credential.id,
    rawId: encode(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function asked(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status === 429 ? "Too many attempts. Wait a minute." : "");
  return (await answer.json()).request_options;
}

async function ceremony(form) {
  const options = await asked(form);
  return form.dataset.passkey === "make"
    ? navigator.credentials.create(making(options))
    : navigator.credentials.get(using(options));
}

// What went wrong, for people: browsers don't tell, so that sites can't learn who else is known there.
function fault(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for regui already.";
  if (error.name === "NotAllowedError") return "That was called off, or took too long. Try again.";
  if (error.name === "SecurityError") return "Passkeys need a site that is reached by https and a name.";
  return error.message || "That didn’t work. Try again.";
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-passkey]");
  if (!form) return;
  event.preventDefault();
  const place = form.querySelector("[data-fault]");
  place.hidden = true;
  try {
    form.elements.credential.value = JSON.stringify(told(await ceremony(form)));
    form.submit();
  } catch (error) {
    place.textContent = fault(error);
    place.hidden = false;
  }
});

// They are offered where they can work.
if (window.isSecureContext && window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("[data-passkey]")) form.hidden = false;
  for (const words of document.querySelectorAll("[data-without-passkeys]")) words.hidden = true;
}
