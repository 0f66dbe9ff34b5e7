// The shells' authenticated client (axios), as the widget's core knows it.

export async function fetchWith(client, address, { locale }) {
  try {
    const { data } = await client.get(address, { headers: { Accept: 'application/json', 'Accept-Language': locale } });
    return data;
  } catch (error) {
    const status = (error.response && error.response.status)
      || (error.customAttributes && error.customAttributes.httpErrorStatus);
    throw Object.assign(new Error('The micro-credentials could not be read.'), { status });
  }
}
