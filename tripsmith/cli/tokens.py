"""The group `token`: made, listed and revoked."""

import click

from tripsmith.access.tokens import ROLES, Role, create_token, list_tokens, revoke_token
from tripsmith.cli.options import Group, connected, json_option, print_json
from tripsmith.cli.report import print_tokens
from tripsmith.settings import Settings


@click.group(cls=Group)
def token() -> None:
    """Create, list and revoke access tokens, required when other machines can reach the server."""


@token.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="reader",
    help="reader: query; ingester: also upload; admin: everything.",
)
@json_option
@click.pass_obj
def create_token_command(settings: Settings, name: str, role: Role, as_json: bool) -> None:
    """Create a token and print it; it is shown only once."""
    with connected(settings) as connection:
        made, secret = create_token(connection, name, role)
    if as_json:
        print_json({**made.as_json(), "token": secret})
    else:
        click.echo(secret)
        click.echo(f"This is the token {made.name}, role {made.role}. It is not kept and not shown again.", err=True)


@token.command("list")
@json_option
@click.pass_obj
def list_tokens_command(settings: Settings, as_json: bool) -> None:
    """List the names and roles of tokens; the tokens themselves are not kept."""
    with connected(settings) as connection:
        tokens = list_tokens(connection)
    if as_json:
        print_json({"tokens": [known.as_json() for known in tokens]})
    else:
        print_tokens(tokens)


@token.command("revoke")
@click.argument("name")
@json_option
@click.pass_obj
def revoke_token_command(settings: Settings, name: str, as_json: bool) -> None:
    """Revoke a token; running servers refuse it within seconds and disconnect its users."""
    with connected(settings) as connection:
        revoked = revoke_token(connection, name)
    if as_json:
        print_json(revoked.as_json())
    else:
        click.echo(f"The token {revoked.name}, role {revoked.role}, is revoked.")
