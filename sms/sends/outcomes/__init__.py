"""Did the person get it, and why or why not: one sentence for each way in which a message, or a row that became none, can end.

    outcome_table.txt   the sentences      table   read from there
    of_message          which one a message has      of_row   which one a rejected row has
    answers             what approvers said of sends

Called by the page of a message and the page of a person, so that both say the same.
"""
