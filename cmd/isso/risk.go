package main

import "github.com/spf13/cobra"

func riskCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "risk",
		Short: "Score risks and look at registers of risks",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		riskScoreCommand(),
		riskRegisterCommand(),
	)
	return cmd
}
