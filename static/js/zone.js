// Tells the server the reader's time zone, so that times are theirs. It says nothing else.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const name = document.body.dataset.zoneCookie;
const told = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));

if (zone && /^[\w+/-]{1,64}$/.test(zone) && told !== `${name}=${zone}`) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
