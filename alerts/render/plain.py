"""A message as plain text: the terminal, and a mail's text part."""

from alerts.render.message import Message


def plain(message: Message) -> str:
    """Lines, the headline first; ends with a line break."""
    word = message.word
    lines = [message.headline]
    lines += [line for line in (message.notice, message.because) if line]
    lines += ["", *(f"{message.named(label)}{value}" for label, value in message.facts)]
    if message.quotes:
        lines += ["", word["excerpts"]]
    for number, quote in enumerate(message.quotes, start=1):
        lines.append(f"{number}. {word['open_quote']}{quote.text}{word['close_quote']}")
        lines.append(f"   {quote.about}")
        if quote.url:
            lines.append(f"   {quote.url}")
    if message.links:
        lines += ["", *(f"{link.label}{word['colon']}{link.url}" for link in message.links)]
    lines += ["", message.footer]
    return "\n".join(lines) + "\n"
