"""nbgrader's configuration: `course/` is the course, run nbgrader's own commands from here."""

c = get_config()

c.CourseDirectory.course_id = "carelab"
# What authors built is the source, what learners open is the release; the rest stays under course/, ignored by git.
c.CourseDirectory.source_directory = "../solutions"
c.CourseDirectory.release_directory = "../weeks_01-12"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "BUILD.json", "portfolio"]

c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("Write your answer here, then delete this line.")'}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# `nbgrader autograde` judges answers as `carelab grade` does: in a sandbox, compared outside of it.
c.Autograde.autograde_preprocessors = [
    "carelab.grading.autograde.JudgeAnswers",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# `nbgrader validate` runs whole notebooks: its kernels are in the sandbox, too.
c.Execute.kernel_manager_class = "carelab.grading.sandbox.provisioner.SandboxManager"
c.Execute.timeout = 120
c.Execute.shutdown_kernel = "immediate"
c.OverwriteCells.add_missing_cells = True  # a deleted check comes back and counts
c.HTMLExporter.sanitize_html = True  # the formgrader shows what a student wrote: never as live HTML
# That alone leaves written answers and comments live: nbgrader's templates put them on the page as they are.
c.HTMLExporter.preprocessors = ["carelab.grading.feedback.Harmless"]
c.HTMLExporter.filters = {"markdown2html": "carelab.grading.feedback.markdown"}
# A learner's feedback: each check as it was released, its one sentence, and hints where it failed.
c.GenerateFeedback.preprocessors = [
    "carelab.grading.feedback.HideChecks",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
