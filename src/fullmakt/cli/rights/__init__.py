"""What the commands about rights share: how somebody is named, what a reason means, how an evaluation is told."""
